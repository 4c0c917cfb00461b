"""What blocks hold, for people to look at: extrinsics with decoded calls, fees, outcomes, events.

`block` says what a block is made of, `values` writes decoded values as text, `read` asks the node, `ethereum`
adds what Ethereum's receipts tell, `find` takes a number, a hash or an address, `follow` tells of new blocks.
Reading only: nothing here signs or sends. The node is trusted to say what the chain holds.
"""
