# Patterns with "**/" in them: any number of folders, which no sh expands by itself.
#
# deep pattern: the folders that what stands before "**/" matches, and all below these, in "folder_1" to "folder_$folders";
# links are not gone along, nor are hidden folders. "cut" becomes 1 where there are more, or deeper ones, than are looked at.
deep() {
  folders=0 looked=0 depth=0 cut=0
  blanks=$IFS; IFS=; set -- ${1%%"**/"*}; IFS=$blanks
  for folder do [ ! -d "$folder" ] || { folders=$((folders + 1)); eval "folder_$folders=\$folder"; }; done
  while [ $looked -lt $folders ]; do
    level=$folders depth=$((depth + 1))
    while [ $looked -lt $level ]; do
      looked=$((looked + 1)); eval "folder=\$folder_$looked"
      for below in "$folder"*/; do
        [ -d "$below" ] && [ ! -L "${below%/}" ] || continue
        if [ $depth -gt @DEEPEST@ ] || [ $folders -ge @MOST_FOLDERS@ ]; then cut=1; return; fi
        folders=$((folders + 1)); eval "folder_$folders=\$below"
      done
    done
  done
}
