"use strict";

// The layer grids: a slider shows one of them.
for (const slider of document.querySelectorAll(".slider input")) {
  const images = slider.closest(".slider").querySelectorAll("img");
  const output = slider.closest(".slider").querySelector("output");
  const show = () => {
    images.forEach((image, i) => { image.hidden = i !== slider.valueAsNumber; });
    output.value = images[slider.valueAsNumber].dataset.step;
    slider.setAttribute("aria-valuetext", output.value);
  };
  slider.addEventListener("input", show);
  show();
}

// The review: buttons mark masks as bad, and the marked names are downloaded.
const review = document.querySelector("#review [data-run]");
if (review) {
  const photos = [...review.querySelectorAll("button.photo")];
  const download = review.querySelector("button.download");
  const clear = review.querySelector("button.clear");
  const count = review.querySelector("output");
  const key = `tf-layered-gan review ${review.dataset.run}`;
  const marked = () => photos.filter((photo) => photo.ariaPressed === "true");
  // A name is JSON, because the name of a file need not be valid Unicode.
  const nameOf = (photo) => JSON.parse(photo.dataset.name);

  const mark = (photo, isBad) => {
    photo.setAttribute("aria-pressed", isBad);
    photo.querySelector(".state").textContent = isBad ? "bad" : "keep";
  };
  const update = () => {
    const names = marked().map(nameOf);
    count.value = `${names.length} of ${photos.length} marked as bad`;
    download.disabled = clear.disabled = names.length === 0;
    try {
      localStorage.setItem(key, JSON.stringify(names));
    } catch {
      // A browser may forbid pages from files to store anything.
    }
  };

  for (const photo of photos) {
    photo.addEventListener("click", () => {
      mark(photo, photo.ariaPressed !== "true");
      update();
    });
    photo.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      const next = step && photos[photos.indexOf(photo) + step];
      if (next) {
        event.preventDefault();
        next.focus();
      }
    });
  }
  clear.addEventListener("click", () => {
    photos.forEach((photo) => mark(photo, false));
    update();
    photos[0].focus();
  });
  download.addEventListener("click", () => {
    const content = { run: review.dataset.run, rejected: marked().map(nameOf) };
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([`${JSON.stringify(content, null, 1)}\n`], { type: "application/json" }));
    link.download = "rejected.json";
    link.click();
    URL.revokeObjectURL(link.href);
  });

  let earlier = [];
  try {
    earlier = JSON.parse(localStorage.getItem(key)) ?? [];
  } catch {
    // See above.
  }
  photos.forEach((photo) => mark(photo, earlier.includes(nameOf(photo))));
  update();
}
