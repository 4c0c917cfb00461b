# pragma version 0.4.3
# pragma evm-version prague
"""
@title  Thief
@notice Enters JobEscrow again while it is being paid, by every door; a test's attacker.
"""

interface Escrow:
    def open(payee: address, arbiter: address, rounds: uint256, deadline: uint256, spec: bytes32) -> uint256: payable
    def approve(job: uint256, upto: uint256, evidence: bytes32): nonpayable
    def close(job: uint256): nonpayable
    def withdraw(to: address) -> uint256: nonpayable
    def owed(account: address) -> uint256: view

escrow: Escrow
door: uint256
job: uint256
tried: public(uint256)
inside: public(uint256)


@deploy
@payable
def __init__(escrow: address, door: uint256, job: uint256):
    self.escrow = Escrow(escrow)
    self.door = door
    self.job = job


@external
def steal():
    extcall self.escrow.withdraw(self)


@external
@payable
def __default__():
    self.tried += 1
    data: Bytes[196] = b""
    if self.door == 0:
        data = abi_encode(self, method_id=method_id("withdraw(address)"))
    elif self.door == 1:
        data = abi_encode(self.job, method_id=method_id("close(uint256)"))
    elif self.door == 2:
        data = abi_encode(self.job, convert(2, uint256), empty(bytes32), method_id=method_id("approve(uint256,uint256,bytes32)"))
    elif self.door == 3:
        data = abi_encode(self, convert(1, address), convert(1, uint256), block.timestamp + 9, empty(bytes32), method_id=method_id("open(address,address,uint256,uint256,bytes32)"))
    else:
        data = abi_encode(self, method_id=method_id("owed(address)"))
    if self.door == 3:
        if raw_call(self.escrow.address, data, value=10**9, revert_on_failure=False):
            self.inside += 1
    elif raw_call(self.escrow.address, data, revert_on_failure=False):
        self.inside += 1
