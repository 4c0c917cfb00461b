"""A class: one chain, one store and one run behind one port, which students join with a code."""
