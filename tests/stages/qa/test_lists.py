"""Instructions that run things or steps into one another."""

import pytest

from stages.qa.lists import is_run_together


@pytest.mark.parametrize(
    "text",
    [
        "Add oil onion celery bell pepper and garlic to a pot",
        "Add salt pepper and hot sauce to the sauce",
        "Add beef tomato puree worcestershire sauce and beef cube to the pot",
        "Add chicken peanuts and sauce",
        "Mix flour baking powder and salt",
        "Add 1 tbls of chili powder 1 tbls of cumin powder and cook",
        "Chop a white onion some green onions and cilantro into small pieces",
        "Grate garlic and ginger drain the water from the mushroom",
        "Rub flour onto the chicken dip it in egg and coat with breadcrumbs",
        "In a bowl combine ground pork shrimp onions and ginger",
        "Spread oil on a pan and heat till smoky spread the meat",
        "Add grated carrots finely chopped chilies and mix",
        "Heat a pan pour some vegetable oil and spread it all over the pan",
        "Cut a tomato into quarters remove the seeds and add to the bowl",
        "Take the cover off add oil and fry",
        "Saute the onions peppers and garlic in a pan",
        "Add evaporated milk water and cheese",
        "Add an egg oil vinegar to a bowl",
        "Add white wine and water cover and boil",
        "Prepare some crab meat chop and peel an avocado",
        "Add the marinated meat spread out evenly and fry",
    ],
)
def test_lists_and_steps_without_commas_are_found(text):
    assert is_run_together(text)


@pytest.mark.parametrize(
    "text",
    [
        "Add oil, onions and carrots to the pot",
        "Add olive oil and garlic powder to the tomato sauce",
        "Add soy sauce, bell peppers and bread crumbs",
        "Sprinkle parmesan cheese and sesame seeds on top",
        "Remove the shrimp shell",
        "Pour some water into the soy milk maker",
        "Chop onions and salt the water",
        "Let it boil and add the pasta, then stir",
        "Deep fry the chicken wings in hot oil",
        "Put the garlic cloves in the garlic press and squeeze them",
        "Drain the water chestnuts and mince them",
        "Set high heat and boil some water",
        "Put garlic in a garlic press and squeeze the handles",
        "Season the pork chop and fry",
        "A man removes the avocado pit and discards it",
        "Spread butter on the bread slices",
    ],
)
def test_compounds_and_joined_steps_stay(text):
    assert not is_run_together(text)
