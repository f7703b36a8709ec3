/**
 * How each desktop looks: colours and places, no behaviour.
 *
 * @module
 */
import type { GuestDefinition } from '../system.ts';

export interface Theme {
  readonly background: readonly [top: string, bottom: string];
  readonly panel: {
    readonly height: number;
    readonly edge: 'top' | 'bottom';
    readonly colour: string;
    readonly text: string;
  };
  /** What the launcher's button on the panel says. */
  readonly launcherLabel: string;
  /** `overview` covers the screen (GNOME); `menu` opens above the panel (KDE, Windows). */
  readonly launcher: 'overview' | 'menu';
  readonly searchHint: string;
  readonly window: { readonly bar: string; readonly barText: string; readonly radius: number };
  readonly accent: string;
}

const gnome: Theme = {
  background: ['#22304f', '#4d2d52'],
  panel: { height: 30, edge: 'top', colour: '#101014', text: '#f2f2f2' },
  launcherLabel: 'Activities',
  launcher: 'overview',
  searchHint: 'Type to search',
  window: { bar: '#ebebed', barText: '#2e3436', radius: 12 },
  accent: '#3584e4',
};
const kde: Theme = {
  background: ['#1d4e70', '#7aa7c7'],
  panel: { height: 44, edge: 'bottom', colour: '#e3e6ea', text: '#232629' },
  launcherLabel: 'Applications',
  launcher: 'menu',
  searchHint: 'Search',
  window: { bar: '#dee0e2', barText: '#232629', radius: 6 },
  accent: '#2f8fd0',
};
const openbox: Theme = {
  background: ['#3a3f44', '#3a3f44'],
  panel: { height: 28, edge: 'bottom', colour: '#202326', text: '#dddddd' },
  launcherLabel: 'Menu',
  launcher: 'menu',
  searchHint: 'Search',
  window: { bar: '#4c5257', barText: '#ffffff', radius: 0 },
  accent: '#3b78b5',
};
const windows10: Theme = {
  background: ['#0a3d6b', '#1f78b4'],
  panel: { height: 42, edge: 'bottom', colour: '#101318', text: '#ffffff' },
  launcherLabel: 'Start',
  launcher: 'menu',
  searchHint: 'Type here to search',
  window: { bar: '#ffffff', barText: '#000000', radius: 0 },
  accent: '#0067c0',
};
const windows11: Theme = {
  ...windows10,
  background: ['#b9d3ee', '#5b8fd0'],
  panel: { height: 48, edge: 'bottom', colour: '#eef2f8', text: '#1b1b1b' },
  window: { bar: '#f3f3f3', barText: '#1b1b1b', radius: 8 },
};

export const themes: Readonly<Record<GuestDefinition['desktop'], Theme>> = {
  gnome,
  kde,
  openbox,
  windows10,
  windows11,
};
