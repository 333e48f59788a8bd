"""In what two runs differ: code, configuration, data, environment, results."""
