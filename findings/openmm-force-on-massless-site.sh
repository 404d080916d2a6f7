#!/usr/bin/env bash
# OpenMM 8.6.1
# Expected: the forces of a state add up to zero, or those on massless sites are zero, since they were handed on to the
#   atoms that carry the site. Either would let one sum the array, as virials and configurational temperatures do.
# Seen: the force on a virtual site is handed on and stays in the array as well, so that the sum over all particles
#   counts it twice. A configurational temperature of TIP4P water comes out as thousands of kelvins.
set -eu
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/v"
"$folder/v/bin/pip" install --quiet openmm==8.6.1 numpy==2.4.6
"$folder/v/bin/python" - <<'P'
import numpy as np
import openmm

system, force = openmm.System(), openmm.NonbondedForce()
for first in (0, 4):
    for mass in (16.0, 1.0, 1.0, 0.0):
        system.addParticle(mass)
    system.setVirtualSite(first + 3, openmm.ThreeParticleAverageSite(first, first + 1, first + 2, 0.6, 0.2, 0.2))
    for charge, depth in ((0.0, 0.6), (0.5, 0.0), (0.5, 0.0), (-1.0, 0.0)):
        force.addParticle(charge, 0.3, depth)
    for i in range(4):
        for j in range(i):
            force.addException(first + i, first + j, 0.0, 0.1, 0.0)
system.addForce(force)
water = np.array([[0.0, 0.0, 0.0], [0.1, 0.0, 0.0], [-0.03, 0.09, 0.0], [0.0, 0.0, 0.0]])
context = openmm.Context(system, openmm.VerletIntegrator(0.001), openmm.Platform.getPlatformByName("Reference"))
context.setPositions(np.concatenate([water, water + [0.3, 0.05, 0.0]]))
context.computeVirtualSites()
forces = context.getState(forces=True).getForces(asNumpy=True)._value
atoms = [0, 1, 2, 4, 5, 6]
everything, of_atoms = np.abs(forces.sum(axis=0)).max(), np.abs(forces[atoms].sum(axis=0)).max()
print(f"sum of the forces: {everything:.1f} kJ/mol/nm over all particles, {of_atoms:.1g} over those with a mass")
assert everything > 10 and of_atoms < 1e-9 and np.abs(forces[[3, 7]]).max() > 10, "the behaviour has changed"
P
