#include "CFluxionLink.h"
