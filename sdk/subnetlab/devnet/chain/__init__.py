"""What the chain is: state and types, blocks and extrinsics, who is admitted, what runs and what it costs."""
