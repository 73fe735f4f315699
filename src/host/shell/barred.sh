# Why there is nothing to be read under a path: whether somebody may look there, and who.

# barred path: where there seems to be nothing, whether that is because we may not look. "barrier" is then the folder that
# we may not enter. What a link leads to may lie in another one.
barred() {
  barrier=$1; links=0
  until [ -e "$barrier" ]; do
    if [ -L "$barrier" ]; then
      leads=$(readlink -- "$barrier" 2>/dev/null); links=$((links + 1))
      [ -n "$leads" ] && [ $links -lt 9 ] || return 1
      case $leads in /*) barrier=$leads ;; *) barrier=${barrier%"${barrier##*/}"}$leads ;; esac
    else
      case $barrier in */*) barrier=${barrier%/*}; barrier=${barrier:-/} ;; .) return 1 ;; *) barrier=. ;; esac
    fi
  done
  [ -d "$barrier" ] && [ ! -x "$barrier" ]
}

# whose path: what ls has to say of it, which tells who may, and its path.
whose() { printf '%s\n%s' "$(ls -dLl -- "$1" 2>/dev/null | head -n 1)" "$1"; }
