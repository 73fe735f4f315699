//! Which file of `src` uses which other one, read from its syntax: `use` trees, paths in code and
//! in macros, re-exports followed to the file that defines the name. Code of tests is left out.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use syn::visit::{self, Visit};

/// The path of a module within the crate: `host::search`.
pub(crate) type ModulePath = Vec<String>;

/// The modules of the crate that are files of their own, and who imports whom.
pub(crate) struct SourceGraph {
    modules: BTreeMap<ModulePath, Module>,
    imports: BTreeMap<ModulePath, BTreeSet<ModulePath>>,
}

/// A file.
struct Module {
    /// Names that it defines.
    items: BTreeSet<String>,
    /// Names that it brings in, and where they lead. Those of `pub use` are seen through.
    names: HashMap<String, ModulePath>,
    /// All that it names, as paths from the root of the crate.
    uses: Vec<ModulePath>,
}

impl SourceGraph {
    /// The crate whose root file this is.
    pub(crate) fn of_crate(root: &Path) -> Self {
        let mut files = Vec::new();
        collect(root, &Vec::new(), &mut files);
        let known: BTreeSet<ModulePath> = files.iter().map(|(path, _)| path.clone()).collect();
        let modules = files.into_iter().map(|(path, file)| {
            let module = Module::read(&path, &file, &known);
            (path, module)
        });
        let mut graph = Self {
            modules: modules.collect(),
            imports: BTreeMap::new(),
        };
        graph.imports = graph
            .modules
            .keys()
            .map(|path| (path.clone(), graph.imports_of(path)))
            .collect();
        graph
    }

    /// Every file with those that it imports.
    pub(crate) fn imports(&self) -> impl Iterator<Item = (&ModulePath, &BTreeSet<ModulePath>)> {
        self.imports.iter()
    }

    /// Files that import each other, directly or through others. It is no circle that a file
    /// imports its parent: a parent holds the names that its children share.
    pub(crate) fn in_circles(&self) -> BTreeSet<String> {
        let reaches: BTreeMap<_, _> = self
            .modules
            .keys()
            .map(|path| (path, self.reach(path)))
            .collect();
        let is_in_circle = |path: &&ModulePath| reaches[path].contains(*path);
        self.modules
            .keys()
            .filter(is_in_circle)
            .map(|path| path.join("::"))
            .collect()
    }

    /// All files that one imports, directly or through others.
    fn reach(&self, from: &ModulePath) -> BTreeSet<ModulePath> {
        let mut reached = BTreeSet::new();
        let mut open = vec![from.clone()];
        while let Some(path) = open.pop() {
            let is_parent = |to: &&ModulePath| {
                path.split_last()
                    .is_some_and(|(_, parent)| parent == &to[..])
            };
            let next = self.imports[&path].iter().filter(|to| !is_parent(to));
            open.extend(next.filter(|to| reached.insert((*to).clone())).cloned());
        }
        reached
    }

    fn imports_of(&self, path: &ModulePath) -> BTreeSet<ModulePath> {
        let uses = self.modules[path].uses.iter();
        uses.map(|name| self.definer(name, 0))
            .filter(|definer| definer != path)
            .collect()
    }

    /// The file that defines a name, re-exports followed.
    fn definer(&self, name: &ModulePath, depth: u32) -> ModulePath {
        let length = (0..=name.len())
            .rev()
            .find(|length| self.modules.contains_key(&name[..*length]));
        let (module, rest) = name.split_at(length.unwrap_or(0));
        let known = &self.modules[module];
        let leads = rest
            .first()
            .filter(|first| !known.items.contains(*first))
            .and_then(|first| known.names.get(first));
        match leads.filter(|leads| *leads != name && depth < 12) {
            Some(leads) => self.definer(&[&leads[..], &rest[1..]].concat(), depth + 1),
            None => module.to_vec(),
        }
    }
}

/// Reads a file and those of its modules that are not for tests.
fn collect(file: &Path, path: &ModulePath, found: &mut Vec<(ModulePath, syn::File)>) {
    let text =
        std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let parsed =
        syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    for item in &parsed.items {
        if let syn::Item::Mod(module) = item
            && module.content.is_none()
            && !is_for_tests(&module.attrs)
        {
            let name = module.ident.to_string();
            collect(
                &file_of_module(file, &name),
                &[&path[..], &[name]].concat(),
                found,
            );
        }
    }
    found.push((path.clone(), parsed));
}

fn file_of_module(parent: &Path, name: &str) -> PathBuf {
    let stem = parent
        .file_stem()
        .and_then(|stem| stem.to_str())
        .expect("a name");
    let folder = parent.parent().expect("a folder");
    let folder = if ["lib", "mod"].contains(&stem) {
        folder.to_owned()
    } else {
        folder.join(stem)
    };
    let file = folder.join(format!("{name}.rs"));
    if file.exists() {
        file
    } else {
        folder.join(name).join("mod.rs")
    }
}

fn is_for_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        syn::Meta::List(list) => {
            list.path.is_ident("cfg") && list.tokens.to_string().contains("test")
        }
        meta => meta.path().is_ident("test"),
    })
}

impl Module {
    fn read(path: &ModulePath, file: &syn::File, known: &BTreeSet<ModulePath>) -> Self {
        let mut reader = Reader {
            path,
            known,
            uses: Vec::new(),
            names: HashMap::new(),
        };
        reader.visit_file(file);
        let items = file.items.iter().filter_map(name_of).collect();
        Self {
            items,
            names: reader.names,
            uses: reader.uses,
        }
    }
}

fn name_of(item: &syn::Item) -> Option<String> {
    let ident = match item {
        syn::Item::Const(item) => &item.ident,
        syn::Item::Enum(item) => &item.ident,
        syn::Item::Fn(item) => &item.sig.ident,
        syn::Item::Static(item) => &item.ident,
        syn::Item::Struct(item) => &item.ident,
        syn::Item::Trait(item) => &item.ident,
        syn::Item::Type(item) => &item.ident,
        _ => return None,
    };
    Some(ident.to_string())
}

/// Gathers what one file names.
struct Reader<'a> {
    path: &'a ModulePath,
    known: &'a BTreeSet<ModulePath>,
    uses: Vec<ModulePath>,
    names: HashMap<String, ModulePath>,
}

impl Reader<'_> {
    /// A path as it stands in the file, from the root of the crate; `None` where it is of another
    /// crate.
    fn absolute(&self, words: &[String]) -> Option<ModulePath> {
        let (first, rest) = words.split_first()?;
        match &first[..] {
            "crate" => Some(rest.to_vec()),
            "self" => Some([self.path, rest].concat()),
            "super" => {
                let ups = words.iter().take_while(|word| *word == "super").count();
                let above = &self.path[..self.path.len().checked_sub(ups)?];
                Some([above, &words[ups..]].concat())
            }
            _ => {
                let child = [&self.path[..], words].concat();
                self.known
                    .contains(&child[..=self.path.len()])
                    .then_some(child)
            }
        }
    }

    fn add(&mut self, words: &[String]) {
        self.uses.extend(self.absolute(words));
    }

    fn add_tree(&mut self, tree: &syn::UseTree, before: &[String]) {
        let with = |word: String| [before, &[word]].concat();
        match tree {
            syn::UseTree::Path(path) => self.add_tree(&path.tree, &with(path.ident.to_string())),
            syn::UseTree::Group(group) => group
                .items
                .iter()
                .for_each(|tree| self.add_tree(tree, before)),
            syn::UseTree::Glob(_) => self.add(before),
            syn::UseTree::Name(name) if name.ident == "self" => self.add_name(before, None),
            syn::UseTree::Name(name) => self.add_name(&with(name.ident.to_string()), None),
            syn::UseTree::Rename(name) => {
                self.add_name(&with(name.ident.to_string()), Some(name.rename.to_string()));
            }
        }
    }

    fn add_name(&mut self, words: &[String], renamed: Option<String>) {
        let Some(absolute) = self.absolute(words) else {
            return;
        };
        self.names.extend(
            renamed
                .or_else(|| words.last().cloned())
                .map(|name| (name, absolute.clone())),
        );
        self.uses.push(absolute);
    }

    /// Paths among the words of a macro.
    fn add_tokens(&mut self, text: &str) {
        let text = text.replace(" :: ", "::");
        let words = text.split(|c: char| !c.is_alphanumeric() && c != '_' && c != ':');
        for word in words.filter(|word| word.starts_with("crate::") || word.starts_with("super::"))
        {
            let parts: Vec<String> = word.split("::").map(str::to_owned).collect();
            self.add(&parts);
        }
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        let attributes = match item {
            syn::Item::Fn(item) => &item.attrs,
            syn::Item::Impl(item) => &item.attrs,
            syn::Item::Mod(item) => &item.attrs,
            syn::Item::Use(item) => &item.attrs,
            _ => return visit::visit_item(self, item),
        };
        if !is_for_tests(attributes) {
            visit::visit_item(self, item);
        }
    }

    /// Who only hands a name on does not use it.
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let before = self.uses.len();
        self.add_tree(&item.tree, &[]);
        if !matches!(item.vis, syn::Visibility::Inherited) {
            self.uses.truncate(before);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let words: Vec<String> = path
            .segments
            .iter()
            .map(|segment| segment.ident.to_string())
            .collect();
        if words.len() > 1 {
            self.add(&words);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, mac: &'ast syn::Macro) {
        self.add_tokens(&mac.tokens.to_string());
        visit::visit_macro(self, mac);
    }
}
