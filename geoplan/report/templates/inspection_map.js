"use strict";
(() => {
  const scene = JSON.parse(document.getElementById("scene").textContent);
  const box = document.getElementById("map");
  if (!box) return;
  const kinds = JSON.parse(document.getElementById("kinds").textContent);
  const map = L.map(box, {crs: L.CRS.Simple, minZoom: -14, maxZoom: 12, zoomSnap: 0.25,
    wheelPxPerZoomLevel: 40, attributionControl: false, zoomControl: false});
  L.control.zoom({zoomInTitle: "+", zoomOutTitle: "−"}).addTo(map);
  const at = (flat) => {
    const out = [];
    for (let i = 0; i < flat.length; i += 2) out.push([flat[i + 1], flat[i]]);
    return out;
  };
  const view = L.latLngBounds([scene.view[1], scene.view[0]], [scene.view[3], scene.view[2]]);
  const whole = () => map.fitBounds(view.pad(0.04), {maxZoom: 9, animate: false});
  whole();

  map.createPane("context").style.zIndex = 300;
  if (scene.context.length) {
    L.polyline(scene.context.map(at), {pane: "context", interactive: false, smoothFactor: 0,
      renderer: L.canvas({pane: "context", padding: 0.4}), color: "#8b9a92", weight: 0.8}).addTo(map);
  }

  // Each kind is one layer that a reader can switch off; the worst is drawn last and so on top.
  const groups = {}, items = {};
  for (const kind of [...kinds].reverse()) groups[kind.id] = L.layerGroup().addTo(map);
  for (const item of [...scene.items].reverse()) {
    const kind = kinds.find((k) => k.id === item.k), style = {color: kind.colour, weight: 2};
    if (kind.dashed) style.dashArray = "5 4";
    let shape = null;
    if (item.d === 2) shape = L.polygon(item.g.map(at), {...style, weight: 1.6, fillOpacity: kind.fill, smoothFactor: 0});
    else if (item.d === 1) shape = L.polyline(item.g.map(at), {...style, weight: 3, smoothFactor: 0});
    const mark = L.circleMarker([item.p[1], item.p[0]],
      {radius: 4.5, color: "#fff", weight: 1.2, fillColor: kind.colour, fillOpacity: 1});
    const layer = L.featureGroup(shape && item.n < 0 ? [shape] : shape ? [shape, mark] : [mark]);
    layer.bindTooltip(item.t, {sticky: true, className: "tip"}).bindPopup(item.t, {maxWidth: 360});
    layer.on("popupopen", () => layer.closeTooltip());
    layer.addTo(groups[item.k]);
    items[item.n] = {item, layer, kind, bounds: (shape ?? L.featureGroup([mark])).getBounds()};
  }

  // Numbers where there is room for them; the others are dots until one comes nearer.
  const labels = L.layerGroup().addTo(map);
  const place = () => {
    labels.clearLayers();
    const taken = [], seen = map.getBounds();
    for (const item of scene.items) {
      const {layer, kind} = items[item.n], where = L.latLng(item.p[1], item.p[0]);
      if (item.n < 0 || !map.hasLayer(groups[item.k]) || !seen.contains(where)) continue;
      const p = map.latLngToContainerPoint(where);
      if (taken.some((q) => Math.abs(q.x - p.x) < 26 && Math.abs(q.y - p.y) < 22)) continue;
      taken.push(p);
      const icon = L.divIcon({className: "number", html: kind.numbers[item.n] ?? "", iconSize: [22, 20]});
      const mark = L.marker(where, {icon, keyboard: false}).addTo(labels);
      mark.getElement().style.background = kind.colour;
      mark.bindTooltip(item.t, {className: "tip", offset: [10, 0]});
      mark.on("click", () => { mark.closeTooltip(); layer.openPopup(where); });
      if (taken.length >= 250) break;
    }
  };
  map.on("moveend overlayadd overlayremove", place);
  place();

  if (kinds.length) {
    const named = {};
    for (const kind of kinds) named[kind.label] = groups[kind.id];
    L.control.layers(null, named, {collapsed: box.clientWidth < 700, sortLayers: false}).addTo(map);
  }
  const home = L.control({position: "topleft"});
  home.onAdd = () => {
    const bar = L.DomUtil.create("div", "leaflet-bar"), link = L.DomUtil.create("a", "", bar);
    link.href = "#map"; link.innerHTML = '<svg viewBox="0 0 14 14" fill="none" stroke="#222" stroke-width="2">'
      + '<path d="M1 5V1h4M9 1h4v4M13 9v4H9M5 13H1V9"/></svg>'; link.setAttribute("role", "button");
    link.title = box.dataset.whole; link.setAttribute("aria-label", box.dataset.whole);
    L.DomEvent.on(link, "click", (e) => { L.DomEvent.stop(e); map.closePopup(); whole(); });
    return bar;
  };
  home.addTo(map);
  if (scene.metric) {
    // Leaflet's own scale knows no bar below a metre.
    const scale = L.control({position: "bottomleft"});
    scale.onAdd = () => L.DomUtil.create("div", "scale");
    scale.addTo(map);
    const draw = () => {
      const most = 110 / 2 ** map.getZoom(), ten = 10 ** Math.floor(Math.log10(most));
      const size = ten * (most / ten >= 5 ? 5 : most / ten >= 2 ? 2 : 1);
      const [value, unit] = size >= 1000 ? [size / 1000, "km"] : size >= 1 ? [size, "m"]
        : size >= 0.01 ? [size * 100, "cm"] : [size * 1000, "mm"];
      const bar = scale.getContainer();
      bar.style.width = `${size * 2 ** map.getZoom()}px`;
      bar.textContent = `${Math.round(value * 100) / 100} ${unit}`;
    };
    map.on("zoomend", draw);
    draw();
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-n]"), found = link && items[link.dataset.n];
    if (!found) return;
    event.preventDefault();
    map.addLayer(groups[found.item.k]);
    box.scrollIntoView({block: "center"});
    map.fitBounds(found.bounds.pad(1.5), {maxZoom: 6, animate: false});
    found.layer.openPopup(L.latLng(found.item.p[1], found.item.p[0]));
  });
  box.dataset.ready = "yes";
})();
