"""openapi.yaml as the code sees it.

Says which operation a request is, and whether what it brings is as the description has it. Never
tells a value back, and knows no caller, no project and no store.
"""

from shared.api.bodies import filled, shown, suffices, whole
from shared.api.document import published
from shared.api.operations import Operation, Parameter, operations
from shared.api.routes import route
