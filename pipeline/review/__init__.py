"""The review page: a draft beside the logs it was made from, for a human to finish in the browser.

`sheet` reads a document as the page shows it, `edits` changes it (text in, text out), `store` writes each change and
undoes it, `logs` and `recount` ask the logs, `app` serves all of it on 127.0.0.1, and `security` says who may ask.
"""
