# Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A headless Chromium for tests of pages."""

import contextlib
import json
import pathlib

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

CSS = By.CSS_SELECTOR


class Page:
    """A page that has been opened, with what tests ask of it."""

    def __init__(self, driver, path, downloads):
        self.driver = driver
        self.downloads = downloads
        driver.get(pathlib.Path(path).resolve().as_uri())
        self.wait("document.documentElement.dataset.ready || "
                  "!document.getElementById('message').hidden")

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def wait(self, condition, seconds=60):
        from selenium.webdriver.support.ui import WebDriverWait
        return WebDriverWait(self.driver, seconds, poll_frequency=0.05).until(
            lambda driver: driver.execute_script(f"return {condition}"), condition)

    def find(self, selector):
        return self.driver.find_element(CSS, selector)

    def all(self, selector):
        return self.driver.find_elements(CSS, selector)

    def click(self, selector):
        element = self.find(selector)
        self.run("arguments[0].scrollIntoView({block: 'center'})", element)
        element.click()

    def fill(self, selector, value):
        element = self.find(selector)
        self.run("arguments[0].scrollIntoView({block: 'center'})", element)
        element.send_keys(Keys.CONTROL, "a")
        element.send_keys(str(value), Keys.TAB)

    def choose(self, selector, value):
        self.run("arguments[0].value = arguments[1];"
                 "arguments[0].dispatchEvent(new Event('change'))", self.find(selector), value)

    def text(self, selector):
        return self.run("return arguments[0].textContent", self.find(selector))

    def message(self):
        return "" if self.run("return document.getElementById('message').hidden") else self.text("#message")

    def total(self, name):
        """A total's value, not rounded."""
        return float(self.find(f'[data-total="{name}"]').get_attribute("data-value"))

    def predicted(self, name):
        """What the changes would make of it."""
        return float(self.find(f'[data-total="{name}"]').get_attribute("data-predicted"))

    def downloaded(self, name):
        """Waits for a file, and reads it as JSON."""
        import time
        path = self.downloads / name
        for _ in range(400):
            if path.exists() and not list(self.downloads.glob("*.crdownload")):
                data = json.loads(path.read_text(encoding="utf-8"))
                path.unlink()
                return data
            time.sleep(0.05)
        raise AssertionError(f"no {name} was downloaded")

    def complaints(self):
        """What the console has had to say since it was last asked."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def shoot(self, path):
        self.driver.save_screenshot(str(path))


@contextlib.contextmanager
def chromium(downloads, width=1400, height=1000):
    downloads = pathlib.Path(downloads).resolve()
    downloads.mkdir(parents=True, exist_ok=True)
    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                     "--force-device-scale-factor=1", f"--window-size={width},{height}",
                     # Nothing in a page may come from elsewhere.
                     "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost"):
        options.add_argument(argument)
    options.add_experimental_option("prefs", {"download.default_directory": str(downloads)})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
    try:
        yield lambda path: Page(driver, path, downloads)
    finally:
        driver.quit()
