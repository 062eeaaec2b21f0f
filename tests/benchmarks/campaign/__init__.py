"""The campaign: attacks on the whole program, in attempts that can each be repeated by their seed.

python -m tests.benchmarks.campaign [kills|writers|sizes|ends|inputs|injection|life]... [--minutes M] [--seed S]
"""
