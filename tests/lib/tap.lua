--- Test results as TAP, from Lua.
-- SPDX-License-Identifier: GPL-3.0-or-later
local M = { n = 0 }

local function comment(text)
    print((("\n" .. tostring(text)):gsub("\n", "\n# "):sub(2)))
end

--- One result.
function M.ok(pass, name)
    M.n = M.n + 1
    print((pass and "ok " or "not ok ") .. M.n .. " - " .. name)
    return pass
end

--- Equal by ==.
function M.is(got, want, name)
    if not M.ok(got == want, name) then
        comment("got:  " .. tostring(got))
        comment("want: " .. tostring(want))
    end
end

--- The text holds a pattern of string.find.
function M.like(text, pattern, name)
    if not M.ok(tostring(text):find(pattern), name) then
        comment("no match for: " .. pattern)
        comment(text)
    end
end

--- f fails with a message that holds a pattern.
function M.fails(f, pattern, name)
    local passed, message = pcall(f)
    if passed then
        M.ok(false, name .. " (it passed)")
    else
        M.like(message, pattern, name)
    end
end

--- The end of the file.
function M.done()
    print("1.." .. M.n)
end

return M
