"""The shop of the demo: Odderby, an island that exists only here, and what its workshops make."""

from .ceramics import CERAMICS
from .clothing import CLOTHING
from .home import HOME
from .kitchen import KITCHEN
from .outdoor import OUTDOOR
from .stationery import STATIONERY

DEPARTMENTS = (STATIONERY, CERAMICS, KITCHEN, OUTDOOR, CLOTHING, HOME)
