"""Which bytes a commit belongs to, by DVC: recorded, pushed, pulled, and named in every run."""
