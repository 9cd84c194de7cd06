"""The commands behind `retrolog.pipeline.cli`, each with what it prints."""
