"""What a lesson shows and touches: `from diffusion_course import lab`, then `lab.dissolve(…)`, `lab.Quiz(…)`, …"""

from .arrow import arrow as arrow
from .designer import designer as designer
from .diagrams import network as network
from .pixel_editor import PixelEditor as PixelEditor
from .play import play_paths as play_paths
from .play import play_pictures as play_pictures
from .play import play_points as play_points
from .prompt_box import PromptBox as PromptBox
from .prompt_box import faces_painting as faces_painting
from .quiz import Quiz as Quiz
from .show import show as show
from .statue import statue as statue
from .trajectories import field as field
from .widgets import dissolve as dissolve
from .widgets import explore as explore
