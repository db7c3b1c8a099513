export interface Line {
  readonly values: readonly number[];
  /** Name of a custom property, as in `--accent`. */
  readonly color: string;
  readonly isFilled: boolean;
}

/** Draws lines over a common scale from zero, newest at the right, with the highest value written in the corner. */
export function drawChart(canvas: HTMLCanvasElement, lines: readonly Line[], label: (value: number) => string): void {
  const context = canvas.getContext("2d");
  if (context === null) return;
  const ratio = devicePixelRatio;
  const width = canvas.clientWidth;
  const height = canvas.clientHeight;
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  context.scale(ratio, ratio);
  const style = getComputedStyle(document.documentElement);
  const highest = Math.max(...lines.flatMap((line) => line.values), Number.MIN_VALUE);
  const top = 18;
  for (const { values, color, isFilled } of lines) {
    const step = width / Math.max(1, values.length - 1);
    context.beginPath();
    for (const [index, value] of values.entries()) {
      const y = height - 1 - (value / highest) * (height - top);
      if (index === 0) context.moveTo(0, y);
      else context.lineTo(index * step, y);
    }
    context.strokeStyle = style.getPropertyValue(color);
    context.lineWidth = 1.5;
    context.stroke();
    if (!isFilled) continue;
    context.lineTo((values.length - 1) * step, height);
    context.lineTo(0, height);
    context.globalAlpha = 0.15;
    context.fillStyle = style.getPropertyValue(color);
    context.fill();
    context.globalAlpha = 1;
  }
  context.fillStyle = style.getPropertyValue("--dim");
  context.font = "11px system-ui";
  context.fillText(label(highest === Number.MIN_VALUE ? 0 : highest), 0, 11);
}
