// What is wider than its place can be scrolled: by the keyboard too.
const reachable = new ResizeObserver((changes) => {
  for (const { target } of changes) {
    if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
    else target.removeAttribute("tabindex");
  }
});
addEventListener("DOMContentLoaded", () => {
  const wide = "[role=main] pre, .cell_output, .table-wrapper, math[display=block]";
  document.querySelectorAll(wide).forEach((element) => reachable.observe(element));
});
