from subnetlab.fleet.work_limit import WorkLimit


def test_a_process_that_never_works_is_given_up_after_the_limit() -> None:
    limit = WorkLimit(60.0, now=100.0)
    for second in range(60):  # telling costs a little processor time itself
        limit.worked(second * 0.0005, now=100.0 + second)
    assert limit.idle_deadline == 160.0
    assert not limit.is_exceeded(159.9)
    assert limit.is_exceeded(160.0)


def test_a_process_that_gets_little_of_a_busy_machine_is_waited_for() -> None:
    limit = WorkLimit(60.0, now=0.0)
    for second in range(600):
        limit.worked(second * 0.02, now=float(second))
        assert not limit.is_exceeded(float(second))
    assert limit.idle_deadline > 650.0


def test_a_process_that_needs_more_work_than_the_limit_is_given_up() -> None:
    limit = WorkLimit(60.0, now=0.0)
    limit.worked(59.9, now=70.0)
    assert not limit.is_exceeded(70.0)
    limit.worked(60.0, now=71.0)
    assert limit.is_exceeded(71.0)
