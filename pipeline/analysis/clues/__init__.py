"""What was said besides requests: changes, alerts, words, deaths, and whom they are about."""
