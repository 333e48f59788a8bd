"""What a project has seen so far on one set of images: recipes, their runs, their differences, the data.

    sets            sets of images: figures can be compared where they are of the same one
    records         single trainings and cross-validations, as they lie in the folder of runs
    meant           what a person means by a word
    recipes         one configuration, and its trainings by seed
    configurations  what trainings were set up with
    grouping        from trainings to recipes
    noise           how far apart seeds are, and how far images lead astray
    differences     how far apart two recipes are, on the same images
    data            what is known of the images
    study           all of it, read and worked out when it is asked for
    incumbent       which recipe later work is compared with
    reading         the whole, from the folder of runs

`read` gives the study that diagnosis, moves and proposal share: what one of them had read, the next one has.
"""

from ctexp.planning.study.reading import read

__all__ = ["read"]
