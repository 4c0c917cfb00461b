"""What a miner sends: an update made small, written so that a reader need not trust its writer, and sealed.

`sparse`, `onebit` and `dense` are the codecs; `topk`, `quantise` and `rice` are what `sparse` is made of;
`container` is the file they write; `seal` encrypts it until the reveal.
"""
