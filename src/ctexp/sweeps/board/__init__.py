"""Who has which trial: Optuna's storage, embedded or in PostgreSQL, claimed so that nothing is run twice."""
