"""The process that runs one run: it starts peers, paces blocks and keeps the record; it loads no torch."""
