"""The parts of identification: candidate schemes, exact starts, tests on a sample, packed parts."""
