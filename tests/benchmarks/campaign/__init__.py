"""The campaign attacks the whole program in many attempts. Any attempt can be repeated with its seed.

python -m tests.benchmarks.campaign [kills|writers|sizes|ends|inputs|injection|life]... [--minutes M] [--seed S]
"""
