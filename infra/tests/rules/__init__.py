"""The rules by subject; RULES has all of them, in the order of the files."""
from .base import *        # noqa: F401,F403  what the rules and their tests share
from .network import *     # noqa: F401,F403
from .encryption import *  # noqa: F401,F403
from .iam import *         # noqa: F401,F403
from .memorydb import *    # noqa: F401,F403
from .edge import *        # noqa: F401,F403
from .cluster import *     # noqa: F401,F403
from .keeping import *     # noqa: F401,F403
from .watching import *    # noqa: F401,F403
from .judged import *      # noqa: F401,F403
from .reach import *       # noqa: F401,F403
