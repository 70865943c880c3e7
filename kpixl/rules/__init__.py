"""The rules of `kpixl check`, a module for each category; texts are in kpixl.rule_texts, words in each form.yaml."""
