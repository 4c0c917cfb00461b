"""Where payloads travel: objects that are created once, by name, in memory, a folder or a bucket."""
