"""What a lesson shows and touches: widgets, quiz, prompt box, pixel editor, drawings of networks and fields."""

from .arrow import arrow
from .clocks import strips, two_clocks
from .designer import designer
from .diagrams import network, unet
from .examples import example_pictures
from .gaze import attention
from .landscape import grid, landscape
from .numbers import averaged, fitting, ks_distance, plain, with_ones
from .pile import against, finer, guesses, suspects
from .pixel_editor import PixelEditor
from .play import play_paths, play_pictures, play_points
from .prompt_box import PromptBox, faces_painting
from .quiz import Quiz
from .show import show, show_edits
from .snapshots import side_by_side
from .statue import statue
from .trajectories import field
from .widgets import dissolve, flip

__all__ = [
    "PixelEditor",
    "PromptBox",
    "Quiz",
    "against",
    "arrow",
    "attention",
    "averaged",
    "designer",
    "dissolve",
    "example_pictures",
    "faces_painting",
    "field",
    "finer",
    "fitting",
    "flip",
    "grid",
    "guesses",
    "ks_distance",
    "landscape",
    "network",
    "plain",
    "play_paths",
    "play_pictures",
    "play_points",
    "show",
    "show_edits",
    "side_by_side",
    "statue",
    "strips",
    "suspects",
    "two_clocks",
    "unet",
    "with_ones",
]
