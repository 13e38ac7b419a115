/** To come. */
import { html } from "../ui.js";
export const Maps = () => html`<p>To come</p>`;
