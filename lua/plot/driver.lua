-- A gnuplot terminal that draws nothing: it writes what is to be drawn as one
-- record a line, which lathe reads back (src/session/plot.c).
--
--   set term lua 'driver.lua' 'COLUMNS ROWS'
--
-- Coordinates are braille dots (2 x 4 a cell) times SUB, origin bottom left.
--   BEGIN columns rows SUB   L linetype (-2 border, -1 grid)   C rrggbb
--   P x y x y ...            M x y point   T x y just text   F x y x y ...
--   END
-- SPDX-License-Identifier: GPL-3.0-or-later
-- luacheck: globals term gp
local SUB = 8
local write, format = gp.write, string.format
local columns, rows = 80, 24
local at_x, at_y, open = 0, 0, false
local just = "LEFT"

local function finish()
    if open then
        write("\n")
        open = false
    end
end

local function record(...)
    finish()
    write(format(...) .. "\n")
    return 1
end

local function ignore()
    return 1
end

term.options = function(text)
    local c, r = text:match("(%d+)%s+(%d+)")
    if c then
        columns, rows = tonumber(c), tonumber(r)
    end
    term.xmax, term.ymax = columns * 2 * SUB - 1, rows * 4 * SUB - 1
    term.h_char, term.v_char = 2 * SUB, 4 * SUB
    term.h_tic, term.v_tic = SUB, SUB
    term.tscale = 1
    term.flags = term.TERM_CAN_MULTIPLOT | term.TERM_LINEWIDTH | term.TERM_CAN_DASH
    gp.term_options(format("%d %d", columns, rows))
    return 1
end

term.init = ignore
term.graphics = function()
    at_x, at_y, open = 0, 0, false
    return record("BEGIN %d %d %d", columns, rows, SUB)
end
term.move = function(x, y)
    if not (open and at_x == x and at_y == y) then
        finish()
    end
    at_x, at_y = x, y
    return 1
end
term.vector = function(x, y)
    if not open then
        write(format("P %d %d", at_x, at_y))
        open = true
    end
    write(format(" %d %d", x, y))
    at_x, at_y = x, y
    return 1
end
term.linetype = function(kind)
    return record("L %d", kind)
end
term.set_color = function(kind, lt, _, _, r, g, b)
    if kind == "LT" then
        return record("L %d", lt)
    end
    return record("C %02x%02x%02x", r * 255 // 1, g * 255 // 1, b * 255 // 1)
end
term.justify_text = function(how)
    just = how
    return 1
end
term.put_text = function(x, y, text)
    return record("T %d %d %s %s", x, y, tostring(just), (text:gsub("%c", " ")))
end
term.point = function(x, y, kind)
    return record("M %d %d %d", x, y, kind)
end
term.arrow = function(x1, y1, x2, y2)
    return record("P %d %d %d %d", x1, y1, x2, y2)
end
term.filled_polygon = function(_, _, corners)
    local out = {}
    for i = 1, #corners do
        out[#out + 1] = corners[i][1]
        out[#out + 1] = corners[i][2]
    end
    return record("F %s", table.concat(out, " "))
end
term.boxfill = function(_, _, x, y, w, h)
    return record("F %d %d %d %d %d %d %d %d", x, y, x + w, y, x + w, y + h, x, y + h)
end
term.text = function()
    return record("END")
end
term.reset = function()
    finish()
    return 1
end
term.dashtype, term.linewidth, term.pointsize = ignore, ignore, ignore
term.set_font, term.text_angle, term.layer = ignore, ignore, ignore
term.path, term.previous_palette = ignore, ignore
term.make_palette = function()
    return 0
end
term.image = function()
    return 0
end
