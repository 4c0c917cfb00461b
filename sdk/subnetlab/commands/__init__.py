"""What `subnetlab WORD` does, one file a word; `cli` finds the word, the node's is `devnet.command`."""
