# pragma version 0.4.3
# pragma evm-version prague
# pragma nonreentrancy on
"""
@title   JobEscrow
@license Apache-2.0
@notice  Locks TAO for a job of equal rounds. The arbiter (or the payer) approves rounds, the payee withdraws
         what was approved, and what is left goes back to the payer once the job is closed.
@dev     One TAO is 10^18 wei here and 10^9 rao in the chain's ledger, which drops what is finer than a rao.
         Every amount is therefore a whole number of rao, and every payment is made from the amounts recorded
         here: the balance that the EVM shows leaves the chain's existential deposit out. The arbiter is
         trusted to approve what was done; the payer cannot take anything back before the deadline. Not audited.
"""

struct Job:
    payer: address
    payee: address
    arbiter: address
    per_round: uint256
    rounds: uint256
    approved: uint256
    deadline: uint256
    closed: bool

event Opened:
    job: indexed(uint256)
    payer: indexed(address)
    payee: indexed(address)
    arbiter: address
    per_round: uint256
    rounds: uint256
    deadline: uint256
    spec: bytes32

event Approved:
    job: indexed(uint256)
    upto: uint256
    amount: uint256
    evidence: bytes32

event Closed:
    job: indexed(uint256)
    refund: uint256

event Withdrawn:
    account: indexed(address)
    to: indexed(address)
    amount: uint256

WEI_PER_RAO: constant(uint256) = 10**9
MAX_ROUNDS: constant(uint256) = 1_000_000

jobs: public(HashMap[uint256, Job])
count: public(uint256)
owed: public(HashMap[address, uint256])
locked: public(uint256)


@external
@payable
def open(payee: address, arbiter: address, rounds: uint256, deadline: uint256, spec: bytes32) -> uint256:
    """
    @notice Fund a job; the value is paid in equal parts, one a round.
    @param payee    who is paid
    @param arbiter  who approves rounds; another account than the payer, such as a validator's
    @param rounds   how many
    @param deadline seconds since 1970; from then on anybody may close the job
    @param spec     hash of what was agreed, such as a run's manifest
    @return the number of the job, from 1
    """
    assert payee != empty(address), "no payee"
    assert arbiter != empty(address), "no arbiter"
    assert arbiter != msg.sender, "the payer is no arbiter"
    assert 0 < rounds and rounds <= MAX_ROUNDS, "rounds"
    assert deadline > block.timestamp, "deadline is over"
    assert msg.value > 0 and msg.value % (rounds * WEI_PER_RAO) == 0, "not a whole number of rao a round"
    self.count += 1
    job: uint256 = self.count
    per_round: uint256 = msg.value // rounds
    self.jobs[job] = Job(
        payer=msg.sender,
        payee=payee,
        arbiter=arbiter,
        per_round=per_round,
        rounds=rounds,
        approved=0,
        deadline=deadline,
        closed=False,
    )
    self.locked += msg.value
    log Opened(
        job=job,
        payer=msg.sender,
        payee=payee,
        arbiter=arbiter,
        per_round=per_round,
        rounds=rounds,
        deadline=deadline,
        spec=spec,
    )
    return job


@external
def approve(job: uint256, upto: uint256, evidence: bytes32):
    """
    @notice Approve all rounds up to a number, counted from the first; what was approved stays approved.
    @param evidence hash of what was seen, such as a round's commitment
    """
    found: Job = self.jobs[job]
    assert found.payer != empty(address), "no such job"
    assert msg.sender == found.arbiter or msg.sender == found.payer, "not the arbiter"
    assert not found.closed, "closed"
    assert found.approved < upto and upto <= found.rounds, "upto"
    amount: uint256 = (upto - found.approved) * found.per_round
    self.jobs[job].approved = upto
    self.locked -= amount
    self.owed[found.payee] += amount
    log Approved(job=job, upto=upto, amount=amount, evidence=evidence)
    if upto == found.rounds:
        self.jobs[job].closed = True
        log Closed(job=job, refund=0)


@external
def close(job: uint256):
    """
    @notice End a job; the rounds that were not approved go back to the payer. The payee and the arbiter may do
            so at any time, everybody else after the deadline.
    """
    found: Job = self.jobs[job]
    assert found.payer != empty(address), "no such job"
    assert not found.closed, "closed"
    assert msg.sender == found.payee or msg.sender == found.arbiter or block.timestamp > found.deadline, "too early"
    refund: uint256 = (found.rounds - found.approved) * found.per_round
    self.jobs[job].closed = True
    self.locked -= refund
    self.owed[found.payer] += refund
    log Closed(job=job, refund=refund)


@external
def withdraw(to: address) -> uint256:
    """
    @notice Take everything that is owed to the caller.
    @param to where it goes
    @return the amount in wei
    """
    assert to != empty(address), "no receiver"
    amount: uint256 = self.owed[msg.sender]
    assert amount > 0, "nothing owed"
    self.owed[msg.sender] = 0
    log Withdrawn(account=msg.sender, to=to, amount=amount)
    raw_call(to, b"", value=amount)
    return amount
