"""What a miner sends: an update made small, written so that a reader need not trust its writer, and sealed.

`dense`, `float4`, `onebit`, `sparse` and `cosine` are the codecs; `topk`, `quantise` and `rice` are what the
last two are made of; `container` is the file they write; `seal` encrypts it until the reveal.
"""
