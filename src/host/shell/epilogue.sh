{ hand_on <&3; end_all; } | serve
