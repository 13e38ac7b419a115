"""From an HTTP request to a use case and back.

A request is checked in this order; the first check that fails answers, in the error model:

1. Its address is not too long and its host is named; its path and method are an operation's, or,
   by name, it is a POST.
2. Its caller is known, and may do what is asked for; nothing of a stranger's body is parsed, nor of
   one who may do none of what a function's name stands for.
3. The caller's rate has room, and the answer's form is one it accepts.
4. Its body arrives whole, is small enough, costs little to parse, and can be read in one way only.
5. Called by name: which operation it is, and whether the caller may.
6. The process has room; from here on the request's deadline runs.
7. Parameters and body are as openapi.yaml has them.

No rule of the domain lives here, and no text of an exception leaves. The only room beside
`functions` that knows Flask.
"""

from shared.wire.answers import page
from shared.wire.serving import Handler, platform, serve
