"""`research/research_plan.yaml`: what it may say, and what it says."""
