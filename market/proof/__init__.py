"""Is the answer right, who pays whom, and if a run has not settled: why not?"""
