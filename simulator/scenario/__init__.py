"""YAML -> `Scenario`: names resolved, all problems at once with file, line and column."""
