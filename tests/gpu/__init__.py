"""What needs a card: run by hand where there is one, `python -m tests.gpu`; never part of the test suite."""
