from .run.cli import main

main(prog_name="python -m diffusion_course")
