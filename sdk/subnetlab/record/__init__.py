"""The record: an append-only log of everything a run did, which all frames, widgets and reports read.

`events` says what can be recorded, `writer` appends, `reader` reads it back once or as it grows, `line` holds
the format, `lock` keeps it to one writer. Standard library only, so a supervisor or a viewer loads nothing.
"""
