"""The campaign attacks the whole program in many attempts. Each has a seed, with which you can repeat it.

python -m tests.benchmarks.campaign [kills|writers|sizes|ends|inputs|injection|life]... [--minutes M] [--seed S]
"""
