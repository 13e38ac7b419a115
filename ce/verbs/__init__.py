"""What the commands do: ask the API, in which order, and what of the answer is shown.

Never prints a secret's value, and leaves every decision to the server. Offers its files by name
(`resources`, `projects`, `apikeys`, `session`, `standing`, `quota`), each read when a command of it
is used, and `dialog`, in which a command ends.
"""
