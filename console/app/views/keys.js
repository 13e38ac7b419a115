/** To come. */
import { html } from "../ui.js";
export const Keys = () => html`<p>To come</p>`;
