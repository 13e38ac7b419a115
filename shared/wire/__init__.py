"""From an HTTP request to a use case and back.

A request is checked in this order; the first check that fails answers, in the error model:

1. Its address is not too long and its host is named; its path and method are an operation's, or,
   by name, it is a POST.
2. Its caller is known, and its rate has room: a refusal counts, for it may cost an audit entry.
3. It may do what is asked for, and the answer's form is one it accepts. Nothing of a stranger's
   body is parsed, nor of one who may do none of what a function's name stands for.
4. Its body arrives whole, is small enough, costs little to parse, and can be read in one way only.
5. Called by name: which operation it is, and whether the caller may.
6. The process has room; from here on the request's deadline runs.
7. Parameters and body are as openapi.yaml has them.

What is denied to a known key, here or deeper, is put on record before it is answered (`denials`).
No rule of the domain lives here, and no text of an exception leaves. The only room beside
`functions` that knows Flask.
"""

from shared.wire.answers import page
from shared.wire.serving import Handler, platform, serve
