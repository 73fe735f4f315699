exec 3<&0
{ cat <&3; kill -TERM 0; } | serve
