/**
 * Painting a desktop: background, panel, windows, launcher.
 *
 * @module
 */
import type { SKRSContext2D } from '@napi-rs/canvas';
import type { Box, Program } from '../programs/program.ts';
import { font } from './fonts.ts';
import type { Theme } from './themes.ts';

export const TITLE_BAR = 38;
/** The launcher's own name of an application that it offers. */
export interface LauncherView {
  readonly query: string;
  readonly hits: readonly string[];
}

export interface WindowView {
  readonly program: Program;
  /** The whole window, title bar included. */
  readonly frame: Box;
  /** Before its first paint a window is an empty surface. */
  readonly painted: boolean;
}

export interface DesktopView {
  readonly width: number;
  readonly height: number;
  readonly clock: string;
  readonly windows: readonly WindowView[];
  readonly launcher: LauncherView | undefined;
  readonly caret: boolean;
}

export function paintDesktop(context: SKRSContext2D, view: DesktopView, theme: Theme): void {
  const { width, height } = view;
  const sky = context.createLinearGradient(0, 0, 0, height);
  sky.addColorStop(0, theme.background[0]);
  sky.addColorStop(1, theme.background[1]);
  context.fillStyle = sky;
  context.fillRect(0, 0, width, height);
  const isOverview = view.launcher !== undefined && theme.launcher === 'overview';
  if (!isOverview) for (const window of view.windows) paintWindow(context, window, theme, view.caret);
  if (view.launcher !== undefined) paintLauncher(context, view, view.launcher, theme);
  paintPanel(context, view, theme);
}

/** Where the window's content lies. */
export function contentOf(frame: Box): Box {
  return { x: frame.x, y: frame.y + TITLE_BAR, width: frame.width, height: frame.height - TITLE_BAR };
}

/** The button that closes the window. */
export function closeButtonOf(frame: Box): Box {
  return { x: frame.x + frame.width - TITLE_BAR, y: frame.y, width: TITLE_BAR, height: TITLE_BAR };
}

/** The launcher's button on the panel. */
export function launcherButtonOf(width: number, height: number, theme: Theme): Box {
  const y = theme.panel.edge === 'top' ? 0 : height - theme.panel.height;
  return { x: 0, y, width: Math.min(130, width), height: theme.panel.height };
}

/** Where the launcher's n-th hit is drawn. */
export function hitBox(width: number, height: number, theme: Theme, index: number): Box {
  if (theme.launcher === 'overview')
    return { x: width / 2 - 70 + index * 160, y: 170, width: 140, height: 130 };
  return { x: 16, y: height - theme.panel.height - 400 + index * 48, width: 320, height: 44 };
}

function paintWindow(
  context: SKRSContext2D,
  { program, frame, painted }: WindowView,
  theme: Theme,
  caret: boolean,
): void {
  const { bar, barText, radius } = theme.window;
  context.save();
  context.shadowColor = 'rgba(0,0,0,0.45)';
  context.shadowBlur = 18;
  context.fillStyle = bar;
  context.beginPath();
  context.roundRect(frame.x, frame.y, frame.width, frame.height, [radius, radius, 0, 0]);
  context.fill();
  context.restore();
  context.font = font(15, 600);
  context.fillStyle = barText;
  const width = context.measureText(program.title).width;
  context.fillText(program.title, frame.x + (frame.width - width) / 2, frame.y + 25);
  const close = closeButtonOf(frame);
  context.strokeStyle = barText;
  context.lineWidth = 1.5;
  context.beginPath();
  context.moveTo(close.x + 14, close.y + 14);
  context.lineTo(close.x + 24, close.y + 24);
  context.moveTo(close.x + 24, close.y + 14);
  context.lineTo(close.x + 14, close.y + 24);
  context.stroke();
  const content = contentOf(frame);
  if (painted) program.draw(context, content, theme, caret);
  else {
    context.fillStyle = '#ffffff';
    context.fillRect(content.x, content.y, content.width, content.height);
  }
}

function paintLauncher(
  context: SKRSContext2D,
  view: DesktopView,
  launcher: LauncherView,
  theme: Theme,
): void {
  const { width, height } = view;
  const isOverview = theme.launcher === 'overview';
  if (isOverview) {
    context.fillStyle = 'rgba(20,20,26,0.88)';
    context.fillRect(0, 0, width, height);
  } else {
    context.fillStyle = '#f4f6f9';
    context.fillRect(0, height - theme.panel.height - 470, 360, 470);
  }
  const search: Box = isOverview
    ? { x: width / 2 - 180, y: 70, width: 360, height: 42 }
    : { x: 16, y: height - theme.panel.height - 454, width: 328, height: 40 };
  context.fillStyle = isOverview ? '#3a3a42' : '#ffffff';
  context.beginPath();
  context.roundRect(search.x, search.y, search.width, search.height, isOverview ? 20 : 4);
  context.fill();
  const ink = isOverview ? '#ffffff' : '#1b1b1b';
  context.font = font(16);
  context.fillStyle = launcher.query === '' ? '#9a9aa5' : ink;
  context.fillText(launcher.query === '' ? theme.searchHint : launcher.query, search.x + 20, search.y + 27);
  launcher.hits.forEach((title, index) => {
    const box = hitBox(width, height, theme, index);
    if (index === 0 && launcher.query !== '') {
      context.fillStyle = isOverview ? 'rgba(255,255,255,0.14)' : '#d5e6f7';
      context.beginPath();
      context.roundRect(box.x, box.y, box.width, box.height, 8);
      context.fill();
    }
    context.fillStyle = theme.accent;
    context.beginPath();
    if (isOverview) context.roundRect(box.x + 38, box.y + 18, 64, 64, 14);
    else context.roundRect(box.x + 8, box.y + 8, 28, 28, 6);
    context.fill();
    context.font = font(15);
    context.fillStyle = ink;
    const shift = isOverview ? (box.width - context.measureText(title).width) / 2 : 48;
    context.fillText(title, box.x + shift, box.y + (isOverview ? 108 : 28));
  });
}

function paintPanel(context: SKRSContext2D, view: DesktopView, theme: Theme): void {
  const { width, height, clock } = view;
  const { panel } = theme;
  const y = panel.edge === 'top' ? 0 : height - panel.height;
  context.fillStyle = panel.colour;
  context.fillRect(0, y, width, panel.height);
  context.font = font(15, 600);
  context.fillStyle = panel.text;
  const baseline = y + panel.height / 2 + 5;
  context.fillText(theme.launcherLabel, 16, baseline);
  const clockWidth = context.measureText(clock).width;
  const isTop = panel.edge === 'top';
  context.fillText(clock, isTop ? (width - clockWidth) / 2 : width - clockWidth - 18, baseline);
}
